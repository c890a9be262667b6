"""a coach's portrait"""

from alembic import op
import sqlalchemy as sa


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('portrait',
    sa.Column('coach', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('small', sa.LargeBinary(), nullable=False),
    sa.Column('large', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['coach'], ['coach.slug'], name=op.f('fk_portrait_coach_coach'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('coach', name=op.f('pk_portrait'))
    )
    with op.batch_alter_table('portrait', schema=None) as batch_op:
        batch_op.create_index(op.f('ix_portrait_digest'), ['digest'], unique=False)

    op.add_column('coach', sa.Column('portrait', sa.Text(), server_default='', nullable=False))
